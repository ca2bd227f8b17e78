-- One row a solar plant and local day: generated, exported and used energy, self-sufficiency of its site, income.
create or replace view mart.solar_daily as
with tally as (
    select
        d.site,
        d.asset,
        d.day,
        sum(d.amount) filter (where d.role = 'generation') as generation_kwh,
        coalesce(sum(d.amount) filter (where d.role = 'export'), 0) as export_kwh
    from mart.kpi_daily as d
    where d.kind = 'solar'
    group by d.site, d.asset, d.day
),

said as (
    select
        k.site,
        k.asset,
        max(k.value) filter (where k.role = 'kwp') as kwp,
        max(k.value) filter (where k.role = 'export_ntd_per_kwh') as export_ntd_per_kwh
    from mart.kpi as k
    where k.kind = 'solar'
    group by k.site, k.asset
)

select
    t.site,
    t.asset,
    t.day,
    t.generation_kwh,
    t.export_kwh,
    greatest(t.generation_kwh - t.export_kwh, 0) as self_consumed_kwh,
    s.import_kwh,
    greatest(t.generation_kwh - t.export_kwh, 0) / nullif(t.generation_kwh, 0) as self_consumption_share,
    greatest(t.generation_kwh - t.export_kwh, 0)
    / nullif(s.import_kwh + greatest(t.generation_kwh - t.export_kwh, 0), 0) as self_sufficiency_share,
    t.generation_kwh / nullif(k.kwp, 0) as specific_yield_h,
    t.export_kwh * k.export_ntd_per_kwh as export_ntd
from tally as t
inner join said as k on t.site = k.site and t.asset = k.asset
left join mart.site_daily as s on t.site = s.site and t.day = s.day;
