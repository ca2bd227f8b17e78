-- One row a register and local day on which something else than its own counting moved it, or a residual is left.
select
    cast(c.day as varchar) as day,
    c.site,
    p.asset,
    c.point,
    c.register_delta_kwh,
    c.wrapped_kwh,
    c.reset_kwh,
    c.exchanged_kwh,
    c.interval_kwh,
    c.quarantined_kwh,
    c.residual_kwh
from mart.conservation as c
inner join mart.point as p on c.point = p.point
where
    c.site in (${site:sqlstring})
    and in_local_days(c.day)
    and (
        c.wrapped_kwh <> 0
        or c.reset_kwh <> 0
        or c.exchanged_kwh <> 0
        or c.quarantined_kwh <> 0
        or c.residual_kwh <> 0
    )
order by abs(c.residual_kwh) desc, c.day desc, c.point asc
limit 100;
