-- One row a site: how many readings it has had, how many of them no file of the archive holds yet, the last tick of its
-- time that was recorded, and the part of a log that its readings come from.
create or replace view mart.site_position as
with ticked as (
    select
        c.site,
        max(c.happened_at) as ticked_at
    from op.control as c
    group by c.site
)

select
    o.site,
    o.next_seq as readings,
    o.next_seq - coalesce(a.first_seq, 0) as unarchived_readings,
    a.received_at as archived_until_at,
    t.ticked_at,
    o.log,
    o.part
from op.position as o
left join op.archived as a on o.site = a.site
left join ticked as t on o.site = t.site
where position('@' in o.site) = 0;
