-- One row a part of a log: the offset of the next message and the number of commits, both as they are now.
select
    l.log,
    l.part,
    l.next_offset,
    l.commits
from mart.log_position as l
order by l.log, l.part;
