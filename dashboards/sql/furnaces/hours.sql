-- Hours of the furnace by local day: hot with pieces, hot without a piece.
select
    local_day_start(d.day, z.time_zone) as time,
    d.hot_h - d.waiting_hot_h as forging_h,
    d.waiting_hot_h
from mart.furnace_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${furnace:sqlstring})
    and in_local_days(d.day, z.time_zone)
order by 1;
