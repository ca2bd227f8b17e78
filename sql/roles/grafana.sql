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
-- Statements of panels are short: to compile them takes longer than to run them, and their sorts fit into memory.
do $$
begin
    execute format('alter role kilowatch_grafana in database %I set jit = off', current_database());
    execute format('alter role kilowatch_grafana in database %I set work_mem = ''64MB''', current_database());
exception when insufficient_privilege then
    raise notice 'whoever made the role kilowatch_grafana may set jit = off and work_mem = 64MB for it';
end
$$;
