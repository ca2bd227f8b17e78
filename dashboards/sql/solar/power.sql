-- Mean power of each interval: generated, exported, purchased, and used by the site (purchased + generated - exported).
with sun as (
    select
        i.starts_at,
        sum(i.amount) filter (where i.role = 'generation') as generation_kwh,
        sum(i.amount) filter (where i.role = 'export') as export_kwh,
        count(*) filter (where i.amount is null) as unknown,
        count(*) filter (where i.role = 'export') as exports
    from mart.kpi_interval as i
    where i.site in (${site:sqlstring}) and i.kind = 'solar' and $__timeFilter(i.starts_at)
    group by i.starts_at
),

known as (
    select
        s.starts_at,
        case when s.unknown = 0 then s.generation_kwh end as generation_kwh,
        case when s.unknown = 0 and s.exports > 0 then s.export_kwh when s.exports = 0 then 0 end as export_kwh
    from sun as s
),

quarter as (
    select
        date_trunc('hour', k.starts_at)
        + interval '15 minutes' * cast(floor(extract(minute from k.starts_at) / 15) as integer) as starts_at,
        sum(k.generation_kwh) as generation_kwh,
        sum(k.export_kwh) as export_kwh,
        count(*) filter (where k.generation_kwh is null or k.export_kwh is null) as unknown
    from known as k
    group by 1
)

select
    $__timeGroupAlias(d.starts_at, $__interval),
    avg(case when q.unknown = 0 then q.generation_kwh end) * 4 as generation_kw,
    avg(case when q.unknown = 0 then d.energy_kwh + q.generation_kwh - q.export_kwh end) * 4 as use_kw,
    avg(d.energy_kwh) * 4 as import_kw,
    avg(case when q.unknown = 0 then q.export_kwh end) * 4 as export_kw
from mart.demand_15min as d
left join quarter as q on d.starts_at = q.starts_at
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
group by 1
order by 1;
