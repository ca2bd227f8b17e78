-- Share of the moves of each local day that hybrids made.
select
    local_day_start(d.day, z.time_zone) as time,
    coalesce(sum(d.moves) filter (where d.is_hybrid), 0) / nullif(sum(d.moves), 0) as hybrid_share
from mart.handler_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.moves is not null
group by 1
order by 1;
