-- One row a site and local day: purchased energy, its cost and mean price, peak demand, emissions of the three scopes.
create or replace view mart.site_daily as
with zone as (
    select
        p.site,
        min(p.time_zone) as time_zone
    from op.point as p
    group by p.site
),

bought as (
    select
        d.site,
        cast(d.starts_at at time zone 'UTC' at time zone z.time_zone as date) as day,
        sum(d.amount) as amount,
        sum(d.estimated) as estimated,
        sum(d.missing_ms) as missing_ms,
        max(d.demand_mw) as demand_mw,
        max(d.contract_mw) as contract_mw,
        sum(c.cost_e8) as cost_e8
    from fact.demand as d
    inner join zone as z on d.site = z.site
    left join fact.cost as c on d.site = c.site and d.starts_at = c.starts_at
    where position('@' in d.site) = 0
    group by 1, 2
),

emitted as (
    select
        e.site,
        cast(e.starts_at at time zone 'UTC' at time zone z.time_zone as date) as day,
        sum(e.location_e10) filter (where e.scope = 1) as scope_1_e10,
        sum(e.location_e10) filter (where e.scope = 2) as scope_2_location_e10,
        sum(e.market_e10) filter (where e.scope = 2) as scope_2_market_e10,
        sum(e.location_e10) filter (where e.scope = 3) as scope_3_e10
    from fact.emission as e
    inner join zone as z on e.site = z.site
    where position('@' in e.site) = 0
    group by 1, 2
)

select
    coalesce(b.site, e.site) as site,
    coalesce(b.day, e.day) as day,
    cast(b.amount as double precision) / 1000000 as import_kwh,
    cast(b.estimated as double precision) / 1000000 as estimated_kwh,
    cast(b.missing_ms as double precision) / 1000 as missing_s,
    cast(b.demand_mw as double precision) / 1000000 as peak_kw,
    cast(b.contract_mw as double precision) / 1000000 as contract_kw,
    cast(b.cost_e8 as double precision) / 100000000 as cost_ntd,
    cast(b.cost_e8 as double precision) / 100 / nullif(cast(b.amount as double precision), 0) as ntd_per_kwh,
    cast(e.scope_1_e10 as double precision) / 10000000000 as scope_1_kgco2e,
    cast(e.scope_2_location_e10 as double precision) / 10000000000 as scope_2_location_kgco2e,
    cast(e.scope_2_market_e10 as double precision) / 10000000000 as scope_2_market_kgco2e,
    cast(e.scope_3_e10 as double precision) / 10000000000 as scope_3_kgco2e
from bought as b
full outer join emitted as e on b.site = e.site and b.day = e.day;
