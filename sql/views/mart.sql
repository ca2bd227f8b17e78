-- One row a point and interval: energy in kWh, null where it is missing.
create or replace view mart.energy_interval as
select
    p.site,
    p.asset,
    p.point,
    f.starts_at,
    f.ends_at,
    cast(f.amount as double precision) / 1000000 as energy_kwh,
    case f.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    f.revision
from fact.interval as f
inner join op.point as p on f.point_id = p.point_id
where p.quantity = 'energy';

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
where p.quantity = 'energy'
group by p.site, p.asset, p.point, f.local_day;

-- One row a decision about a register; values in the register's unit.
create or replace view mart.register_event as
select
    p.site,
    p.point,
    e.decided_at,
    e.happened_at,
    e.kind,
    e.before_value as before_kwh,
    e.after_value as after_kwh,
    e.counted_value as counted_kwh,
    e.reason
from fact.register_event as e
inner join op.point as p on e.point_id = p.point_id;

-- One row a rejected reading or message, with the reason.
create or replace view mart.quarantine as
select
    q.received_at,
    q.source,
    q.reason,
    q.payload
from fact.quarantine as q;

-- One row a register and local day: what the register moved by, corrected, against the sum of its intervals.
create or replace view mart.conservation as
with interval_day as (
    select
        i.point_id,
        i.local_day,
        sum(i.amount) as amount
    from fact.interval as i
    group by i.point_id, i.local_day
)

select
    p.site,
    p.point,
    d.local_day as day,
    cast(d.register as double precision) / 1000000 as register_delta_kwh,
    cast(d.wrapped as double precision) / 1000000 as wrapped_kwh,
    cast(d.reset as double precision) / 1000000 as reset_kwh,
    cast(d.exchanged as double precision) / 1000000 as exchanged_kwh,
    cast(f.amount as double precision) / 1000000 as interval_kwh,
    cast(d.quarantined as double precision) / 1000000 as quarantined_kwh,
    cast(
        d.register + d.wrapped + d.reset + d.exchanged - d.quarantined - coalesce(f.amount, 0) as double precision
    ) / 1000000 as residual_kwh
from fact.register_day as d
inner join op.point as p on d.point_id = p.point_id
left join interval_day as f on d.point_id = f.point_id and d.local_day = f.local_day
where p.quantity = 'energy';

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
where p.quantity = 'energy';

-- One row a site and quarter-hour: average power in kW against the contract, null where a part is missing.
create or replace view mart.demand_15min as
select
    d.site,
    d.starts_at,
    cast(d.demand_mw as double precision) / 1000000 as demand_kw,
    cast(d.contract_mw as double precision) / 1000000 as contract_kw,
    case d.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    d.revision
from fact.demand as d;

-- One row a site and quarter-hour: purchased energy in kWh, its tariff band and its cost in NTD, 5 % VAT included.
create or replace view mart.cost_interval as
select
    c.site,
    c.starts_at,
    c.band,
    cast(c.amount as double precision) / 1000000 as energy_kwh,
    cast(c.cost_e8 as double precision) / 100000000 as cost_ntd,
    c.tariff_id,
    c.revision
from fact.cost as c;
