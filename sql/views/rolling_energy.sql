-- One row a point and interval end: energy in kWh of the windows that end there, and the seconds nothing is known of.
create or replace view mart.rolling_energy as
select
    p.site,
    p.point,
    r.ends_at,
    cast(r.amount_15min as double precision) / 1000000 as energy_15min_kwh,
    cast(r.amount_1h as double precision) / 1000000 as energy_1h_kwh,
    cast(r.amount_24h as double precision) / 1000000 as energy_24h_kwh,
    cast(r.missing_15min_ms as double precision) / 1000 as missing_15min_s,
    cast(r.missing_1h_ms as double precision) / 1000 as missing_1h_s,
    cast(r.missing_24h_ms as double precision) / 1000 as missing_24h_s
from fact.rolling as r
inner join op.point as p on r.point_id = p.point_id
where p.quantity = 'energy' and p.kind <> 'derived' and position('@' in p.site) = 0;
