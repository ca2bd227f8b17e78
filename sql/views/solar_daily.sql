-- One row a solar plant and local day: generated, exported and used energy, self-sufficiency of its site, income.
create or replace view mart.solar_daily as
with tally as (
    select
        d.site,
        d.asset,
        d.day,
        sum(d.amount) filter (where d.role = 'generation') as generation_kwh,
        sum(d.amount) filter (where d.role = 'export') as export_kwh
    from mart.kpi_daily as d
    where d.kind = 'solar'
    group by d.site, d.asset, d.day
),

said as (
    select
        k.site,
        k.asset,
        count(*) filter (where k.role = 'export') > 0 as has_export,
        max(k.value) filter (where k.role = 'kwp') as kwp,
        max(k.value) filter (where k.role = 'export_ntd_per_kwh') as export_ntd_per_kwh
    from mart.kpi as k
    where k.kind = 'solar'
    group by k.site, k.asset
),

-- What is not known is null: a silent meter of exports is no export of zero, but a plant without one exports nothing.
known as (
    select
        t.site,
        t.asset,
        t.day,
        t.generation_kwh,
        case when k.has_export then t.export_kwh else 0 end as export_kwh,
        k.kwp,
        k.export_ntd_per_kwh
    from tally as t
    inner join said as k on t.site = k.site and t.asset = k.asset
),

used as (
    select
        k.*,
        case when k.export_kwh >= k.generation_kwh then 0 else k.generation_kwh - k.export_kwh end as self_consumed_kwh
    from known as k
)

select
    t.site,
    t.asset,
    t.day,
    t.generation_kwh,
    t.export_kwh,
    t.self_consumed_kwh,
    s.import_kwh,
    t.self_consumed_kwh / nullif(t.generation_kwh, 0) as self_consumption_share,
    t.self_consumed_kwh / nullif(s.import_kwh + t.self_consumed_kwh, 0) as self_sufficiency_share,
    t.generation_kwh / nullif(t.kwp, 0) as specific_yield_h,
    t.export_kwh * t.export_ntd_per_kwh as export_ntd
from used as t
left join mart.site_daily as s on t.site = s.site and t.day = s.day;
