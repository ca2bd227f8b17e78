-- The three roles, which are the server's and not one database's: what they may do is in grants.sql. May be applied
-- again.
do $$
begin
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
-- A panel's query takes milliseconds, and compiling it a second.
alter role kilowatch_grafana set jit = off;
