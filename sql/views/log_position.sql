-- One row a part of a log that a worker reads: the offset of the next message, and how many commits there were.
create or replace view mart.log_position as
select
    l.log,
    l.part,
    l.next_offset,
    l.commits
from op.log_position as l;
