-- One row a point and local day: energy in kWh, the estimated part of it, and the seconds of which nothing is known.
create or replace view mart.energy_daily as
select
    p.site,
    p.asset,
    p.point,
    f.local_day as day,
    cast(sum(f.amount) as double precision) / 1000000 as energy_kwh,
    cast(sum(f.estimated) as double precision) / 1000000 as estimated_kwh,
    cast(sum(f.missing_ms) as double precision) / 1000 as missing_s
from fact.interval as f
inner join op.point as p on f.point_id = p.point_id
where p.quantity = 'energy' and p.kind <> 'derived' and position('@' in p.site) = 0
group by p.site, p.asset, p.point, f.local_day;
