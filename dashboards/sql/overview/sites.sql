-- One row a site: what the range was like, against the range of the same length before it.
with demand as (
    select
        d.site,
        min(d.starts_at) as first_at,
        sum(d.energy_kwh) filter (where d.starts_at >= $__timeFrom()) as energy_kwh,
        sum(d.energy_kwh) filter (where d.starts_at < $__timeFrom()) as earlier_kwh,
        sum(d.estimated_kwh) filter (where d.starts_at >= $__timeFrom()) as estimated_kwh,
        sum(d.missing_s) filter (where d.starts_at >= $__timeFrom()) as missing_s,
        count(*) filter (where d.starts_at >= $__timeFrom()) as quarters,
        max(d.demand_kw / nullif(d.contract_kw, 0)) filter (where d.starts_at >= $__timeFrom()) as contract_share
    from mart.demand_15min as d
    where
        d.site in (${site:sqlstring})
        and d.starts_at <= $__timeTo()
        and d.starts_at > cast($__timeFrom() as timestamp)
        - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp))
    group by d.site
),

alerts as (
    select
        e.site,
        count(*) as opened
    from mart.alert_episode as e
    where e.site in (${site:sqlstring}) and $__timeFilter(e.opened_at)
    group by e.site
),

kinds as (
    select
        k.site,
        count(distinct k.asset) filter (where k.kind in ('room', 'compressor')) as cold_assets,
        count(distinct k.asset) filter (where k.kind = 'machine') as machining_assets,
        count(distinct k.asset) filter (where k.kind = 'furnace') as furnace_assets,
        count(distinct k.asset) filter (where k.kind in ('handler', 'load')) as warehouse_assets,
        count(distinct k.asset) filter (where k.kind = 'solar') as solar_assets
    from mart.kpi as k
    where k.site in (${site:sqlstring})
    group by k.site
)

select
    s.site,
    d.contract_share,
    coalesce(a.opened, 0) as alerts,
    d.energy_kwh,
    case
        when
            d.first_at < cast($__timeFrom() as timestamp)
            - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp)) * 9 / 10
            then d.energy_kwh / nullif(d.earlier_kwh, 0) - 1
    end as change,
    d.estimated_kwh / nullif(d.energy_kwh, 0) as estimated_share,
    d.missing_s / (nullif(d.quarters, 0) * 900) as missing_share,
    nullif(k.cold_assets, 0) as cold_assets,
    nullif(k.machining_assets, 0) as machining_assets,
    nullif(k.furnace_assets, 0) as furnace_assets,
    nullif(k.warehouse_assets, 0) as warehouse_assets,
    nullif(k.solar_assets, 0) as solar_assets
from mart.site as s
left join demand as d on s.site = d.site
left join alerts as a on s.site = a.site
left join kinds as k on s.site = k.site
where s.site in (${site:sqlstring})
order by d.contract_share desc nulls last, s.site asc;
