-- Grafana reads the mart views and nothing else.
do $$
begin
    execute format('grant connect on database %I to kilowatch_grafana', current_database());
end
$$;
revoke all on schema op, raw, fact, run from kilowatch_grafana;
revoke all on all tables in schema op, raw, fact, run from kilowatch_grafana;
grant usage on schema mart to kilowatch_grafana;
grant select on all tables in schema mart to kilowatch_grafana;
