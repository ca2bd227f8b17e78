-- One row a system: its mean power outside working hours.
select
    d.system,
    sum(d.off_hours_kwh) / nullif(sum(d.off_hours_h), 0) as off_hours_kw
from mart.load_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
group by d.system
having sum(d.off_hours_h) > 0
order by off_hours_kw desc, d.system asc
limit 12;
