-- One row a solar plant: generated, used and exported energy, days on which it gave nothing.
select
    d.site,
    d.asset,
    max(k.value) as kwp,
    sum(d.generation_kwh) as energy_kwh,
    sum(d.self_consumed_kwh) as self_consumed_kwh,
    sum(d.export_kwh) as export_kwh,
    sum(d.generation_kwh) / nullif(max(k.value) * count(d.generation_kwh), 0) as yield_h_per_day,
    sum(d.export_ntd) as export_ntd,
    count(*) filter (where d.generation_kwh <= 0) as dark_days,
    count(*) as days
from mart.solar_daily as d
left join mart.kpi as k on d.site = k.site and d.asset = k.asset and k.kind = 'solar' and k.role = 'kwp'
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.site, d.asset
order by yield_h_per_day asc nulls last, d.asset asc;
