-- One row a compressor: starts, run length, duty and energy of the range.
select
    d.site,
    d.asset,
    sum(d.starts) / nullif(sum(d.known_h), 0) as starts_per_h,
    sum(d.on_h) * 60 / nullif(sum(d.starts), 0) as run_min,
    sum(d.on_h) / nullif(sum(d.known_h), 0) as duty_share,
    sum(d.on_h) as on_h,
    sum(d.energy_kwh) as energy_kwh,
    sum(d.energy_kwh) filter (where d.known_h >= 23) / nullif(sum(d.on_h) filter (where d.known_h >= 23), 0)
        as kwh_per_on_h,
    sum(d.known_h) as known_h
from mart.compressor_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.site, d.asset
order by starts_per_h desc nulls last, d.asset asc;
