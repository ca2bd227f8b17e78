-- Who may do what: workers write, analysts read everything, Grafana reads the mart views only. May be applied again.
do $$
begin
    perform pg_advisory_xact_lock(hashtextextended('kilowatch roles', 0));
    if not exists (select 1 from pg_roles where rolname = 'kilowatch_writer') then
        create role kilowatch_writer login;
    end if;
    if not exists (select 1 from pg_roles where rolname = 'kilowatch_reader') then
        create role kilowatch_reader login;
    end if;
    if not exists (select 1 from pg_roles where rolname = 'kilowatch_grafana') then
        create role kilowatch_grafana login;
    end if;
end
$$;

alter role kilowatch_writer set timezone = 'UTC';
alter role kilowatch_reader set timezone = 'UTC';
alter role kilowatch_reader set default_transaction_read_only = on;
alter role kilowatch_reader set statement_timeout = '10min';
alter role kilowatch_grafana set timezone = 'UTC';
alter role kilowatch_grafana set default_transaction_read_only = on;
alter role kilowatch_grafana set statement_timeout = '30s';
alter role kilowatch_grafana set search_path = mart;

grant usage on schema op, raw, fact, mart to kilowatch_writer;
grant select, insert, update, delete on all tables in schema op, raw, fact to kilowatch_writer;
revoke insert, update, delete on op.migration from kilowatch_writer;
grant select on all tables in schema mart to kilowatch_writer;

grant usage on schema op, raw, fact, mart to kilowatch_reader;
grant select on all tables in schema op, raw, fact, mart to kilowatch_reader;

revoke all on all tables in schema op, raw, fact from kilowatch_grafana;
grant usage on schema mart to kilowatch_grafana;
grant select on all tables in schema mart to kilowatch_grafana;
