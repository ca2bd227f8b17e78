-- One row a site and local day: purchased energy, its cost and mean price, peak demand, emissions of both scopes.
create or replace view mart.site_daily as
with quarter as (
    select
        d.site,
        cast(d.starts_at at time zone 'UTC' at time zone z.time_zone as date) as day,
        d.energy_kwh,
        d.estimated_kwh,
        d.missing_s,
        d.demand_kw,
        d.contract_kw,
        c.cost_ntd
    from mart.demand_15min as d
    inner join mart.site as z on d.site = z.site
    left join mart.cost_interval as c on d.site = c.site and d.starts_at = c.starts_at
),

emitted as (
    select
        e.site,
        cast(e.starts_at at time zone 'UTC' at time zone z.time_zone as date) as day,
        sum(e.location_kgco2e) filter (where e.scope = 1) as scope_1_kgco2e,
        sum(e.location_kgco2e) filter (where e.scope = 2) as scope_2_location_kgco2e,
        sum(e.market_kgco2e) filter (where e.scope = 2) as scope_2_market_kgco2e,
        sum(e.location_kgco2e) filter (where e.scope = 3) as scope_3_kgco2e
    from mart.emissions_interval as e
    inner join mart.site as z on e.site = z.site
    group by 1, 2
),

bought as (
    select
        q.site,
        q.day,
        sum(q.energy_kwh) as import_kwh,
        sum(q.estimated_kwh) as estimated_kwh,
        sum(q.missing_s) as missing_s,
        max(q.demand_kw) as peak_kw,
        max(q.contract_kw) as contract_kw,
        sum(q.cost_ntd) as cost_ntd
    from quarter as q
    group by q.site, q.day
)

select
    coalesce(b.site, e.site) as site,
    coalesce(b.day, e.day) as day,
    b.import_kwh,
    b.estimated_kwh,
    b.missing_s,
    b.peak_kw,
    b.contract_kw,
    b.cost_ntd,
    b.cost_ntd / nullif(b.import_kwh, 0) as ntd_per_kwh,
    e.scope_1_kgco2e,
    e.scope_2_location_kgco2e,
    e.scope_2_market_kgco2e,
    e.scope_3_kgco2e
from bought as b
full outer join emitted as e on b.site = e.site and b.day = e.day;
