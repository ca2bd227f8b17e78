-- Mean temperature of the measure's condition by local day, and the share of the time that it was within its limits.
select
    local_day_start(d.day, z.time_zone) as time,
    max(d.mean_c) as mean_c,
    max(d.in_band_share) as in_band_share
from mart.measure_use_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and d.in_band_share is not null
group by 1
order by 1;
