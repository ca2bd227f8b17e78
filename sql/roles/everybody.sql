-- What everybody may do in this database: nothing, not even make temporary tables. May be applied again, so that what
-- a migration added has the same rights; so may the rights of each role, in the file of its name.
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
end
$$;
