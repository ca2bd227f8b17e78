-- One row a site: the end of its last interval, how long ago that is, the last recorded tick, readings in the store and
-- not yet in the archive, and the part of the log that they come from with the offset a worker goes on at.
with newest as (
    select
        p.site,
        max(p.ends_at) as ends_at
    from mart.point_state as p
    group by p.site
)

select
    s.site,
    n.ends_at,
    floor(greatest(extract(epoch from cast($__timeTo() as timestamp) - n.ends_at), 0)) as behind_s,
    s.ticked_at,
    s.readings,
    s.unarchived_readings,
    s.log,
    s.part
from mart.site_position as s
left join newest as n on s.site = n.site
order by behind_s desc nulls first, s.site asc;
