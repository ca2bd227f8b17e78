-- Share of good pieces of each furnace by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.yield_share
from mart.furnace_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.yield_share is not null
order by 1, 2;
