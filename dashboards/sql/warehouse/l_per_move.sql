-- Litres a move of each mover of loads by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.l_per_move
from mart.handler_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.l_per_move is not null
order by 1, 2;
