-- Workers read and write what they compute, and all that is needed beside; they drop nothing.
do $$
begin
    execute format('grant connect, temporary on database %I to kilowatch_writer', current_database());
end
$$;
grant usage on schema op, raw, fact, mart, run to kilowatch_writer;
grant select, insert, update, delete on all tables in schema op, raw, fact to kilowatch_writer;
revoke insert, update, delete on op.migration from kilowatch_writer;
grant select on all tables in schema mart, run to kilowatch_writer;
