-- One row a register and local day: what the register moved by, corrected, against the sum of its intervals.
create or replace view mart.conservation as
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
left join lateral (
    select sum(i.amount) as amount
    from fact.interval as i
    where i.point_id = d.point_id and i.local_day = d.local_day
) as f on true
where p.quantity = 'energy' and position('@' in p.site) = 0;
