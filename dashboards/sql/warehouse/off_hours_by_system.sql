-- One row a system: its mean power outside working hours.
select
    d.system,
    sum(d.off_hours_kwh) / nullif(sum(d.off_hours_h), 0) as off_hours_kw
from mart.load_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.system
having sum(d.off_hours_h) > 0
order by off_hours_kw desc, d.system asc
limit 12;
