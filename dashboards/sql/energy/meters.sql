-- One row a meter: energy against the span of the same length before, how much of it is estimated, hours missing.
with energy as (
    select
        i.site,
        i.asset,
        i.point,
        min(i.starts_at) as first_at,
        sum(i.energy_kwh) filter (where i.starts_at >= $__timeFrom()) as energy_kwh,
        sum(i.energy_kwh) filter (where i.starts_at < $__timeFrom()) as earlier_kwh,
        sum(i.estimated_kwh) filter (where i.starts_at >= $__timeFrom()) as estimated_kwh,
        sum(i.missing_s) filter (where i.starts_at >= $__timeFrom()) as missing_s,
        sum(extract(epoch from i.ends_at - i.starts_at)) filter (where i.starts_at >= $__timeFrom()) as whole_s
    from mart.energy_interval as i
    where
        i.site in (${site:sqlstring})
        and i.asset in (${asset:sqlstring})
        and i.starts_at <= $__timeTo()
        and i.starts_at > cast($__timeFrom() as timestamp)
        - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp))
    group by i.site, i.asset, i.point
)

select
    e.site,
    e.asset,
    e.point,
    e.energy_kwh,
    case
        when
            e.first_at < cast($__timeFrom() as timestamp)
            - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp)) * 9 / 10
            then e.energy_kwh / nullif(e.earlier_kwh, 0) - 1
    end as change,
    least(e.estimated_kwh / nullif(abs(e.energy_kwh), 0), 1) as estimated_share,
    e.missing_s / nullif(e.whole_s, 0) as missing_share
from energy as e
order by e.energy_kwh desc nulls last, e.point asc;
