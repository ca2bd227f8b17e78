-- The roles, which are the server's and not one database's: what each may do is in the file of its name. May be applied
-- again.
do $$
declare
    named text;
begin
    foreach named in array array['writer', 'reader', 'grafana', 'sender', 'operator'] loop
        if not exists (select 1 from pg_roles where rolname = 'kilowatch_' || named) then
            execute format('create role %I login', 'kilowatch_' || named);
        end if;
    end loop;
end
$$;

alter role kilowatch_writer set timezone = 'UTC';
alter role kilowatch_reader set timezone = 'UTC';
alter role kilowatch_reader set default_transaction_read_only = on;
alter role kilowatch_reader set statement_timeout = '10min';
alter role kilowatch_grafana set timezone = 'UTC';
alter role kilowatch_grafana set default_transaction_read_only = on;
alter role kilowatch_grafana set statement_timeout = '30s';
-- Grafana groups by TimescaleDB's own function, where it is there.
alter role kilowatch_grafana set search_path = mart, public;
alter role kilowatch_sender set timezone = 'UTC';
alter role kilowatch_operator set timezone = 'UTC';
alter role kilowatch_operator set statement_timeout = '30s';
-- A panel's query takes milliseconds, and compiling it a second.
alter role kilowatch_grafana set jit = off;
