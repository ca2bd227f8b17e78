-- Analysts read everything.
do $$
begin
    execute format('grant connect on database %I to kilowatch_reader', current_database());
end
$$;
grant usage on schema op, raw, fact, mart, run to kilowatch_reader;
grant select on all tables in schema op, raw, fact, mart, run to kilowatch_reader;
