-- One row a compressor and local day: hours that it ran, starts, and the share of the known time that it ran (duty).
create or replace view mart.compressor_daily as
with tally as (
    select
        d.site,
        d.asset,
        d.day,
        sum(d.amount) filter (where d.role = 'on_time') as on_h,
        sum(d.amount) filter (where d.role = 'starts') as starts,
        max(d.known_h) filter (where d.role = 'on_time') as known_h,
        sum(d.amount) filter (where d.role = 'energy') as energy_kwh
    from mart.kpi_daily as d
    where d.kind = 'compressor'
    group by d.site, d.asset, d.day
)

select
    t.site,
    t.asset,
    t.day,
    t.on_h,
    t.starts,
    t.starts / nullif(t.known_h, 0) as starts_per_h,
    t.on_h / nullif(t.known_h, 0) as duty_share,
    t.on_h * 60 / nullif(t.starts, 0) as run_min,
    t.energy_kwh,
    t.known_h
from tally as t;
