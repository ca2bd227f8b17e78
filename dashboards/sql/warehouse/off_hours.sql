-- Mean power of each system outside working hours by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.system as metric,
    d.off_hours_kw
from mart.load_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.off_hours_kw is not null
order by 1, 2;
