-- Who may do what in this database: workers write, analysts read everything, Grafana reads the mart views only, and
-- everybody else nothing. May be applied again, so that what a migration added has the same rights.
revoke all on schema op, raw, fact, mart, run from public;
revoke all on all tables in schema op, raw, fact, mart, run from public;
do $$
begin
    begin
        revoke create on schema public from public;
    exception when insufficient_privilege then
        raise notice 'schema public belongs to somebody else';
    end;
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant temporary on database %I to kilowatch_writer', current_database());
    execute format(
        'grant connect on database %I to kilowatch_writer, kilowatch_reader, kilowatch_grafana', current_database()
    );
end
$$;

grant usage on schema op, raw, fact, mart, run to kilowatch_writer;
grant select, insert, update, delete on all tables in schema op, raw, fact to kilowatch_writer;
revoke insert, update, delete on op.migration from kilowatch_writer;
grant select on all tables in schema mart, run to kilowatch_writer;

grant usage on schema op, raw, fact, mart, run to kilowatch_reader;
grant select on all tables in schema op, raw, fact, mart, run to kilowatch_reader;

revoke all on schema op, raw, fact, run from kilowatch_grafana;
revoke all on all tables in schema op, raw, fact, run from kilowatch_grafana;
grant usage on schema mart to kilowatch_grafana;
grant select on all tables in schema mart to kilowatch_grafana;
