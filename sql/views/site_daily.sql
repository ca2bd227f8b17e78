-- One row a site and local day: purchased energy, its cost and mean price, peak demand, emissions of the three scopes.
create or replace view mart.site_daily as
with zone as (
    select
        p.site,
        min(p.time_zone) as time_zone
    from op.point as p
    group by p.site
),

-- Rows of both kinds under one another, so that a site that is asked for is looked up in each.
part as (
    select
        d.site,
        cast(d.starts_at at time zone 'UTC' at time zone z.time_zone as date) as day,
        d.amount,
        d.estimated,
        d.missing_ms,
        d.demand_mw,
        d.contract_mw,
        c.cost_e8,
        null as scope,
        cast(null as bigint) as location_e10,
        cast(null as bigint) as market_e10
    from fact.demand as d
    inner join zone as z on d.site = z.site
    left join fact.cost as c on d.site = c.site and d.starts_at = c.starts_at
    where position('@' in d.site) = 0
    union all
    select
        e.site,
        cast(e.starts_at at time zone 'UTC' at time zone z.time_zone as date) as day,
        null as amount,
        null as estimated,
        null as missing_ms,
        null as demand_mw,
        null as contract_mw,
        null as cost_e8,
        e.scope,
        e.location_e10,
        e.market_e10
    from fact.emission as e
    inner join zone as z on e.site = z.site
    where position('@' in e.site) = 0
),

each_day as (
    select
        x.site,
        x.day,
        sum(x.amount) as amount,
        sum(x.estimated) as estimated,
        sum(x.missing_ms) as missing_ms,
        max(x.demand_mw) as demand_mw,
        max(x.contract_mw) as contract_mw,
        sum(x.cost_e8) as cost_e8,
        sum(x.location_e10) filter (where x.scope = 1) as scope_1_e10,
        sum(x.location_e10) filter (where x.scope = 2) as scope_2_location_e10,
        sum(x.market_e10) filter (where x.scope = 2) as scope_2_market_e10,
        sum(x.location_e10) filter (where x.scope = 3) as scope_3_e10
    from part as x
    group by x.site, x.day
)

select
    d.site,
    d.day,
    cast(d.amount as double precision) / 1000000 as import_kwh,
    cast(d.estimated as double precision) / 1000000 as estimated_kwh,
    cast(d.missing_ms as double precision) / 1000 as missing_s,
    cast(d.demand_mw as double precision) / 1000000 as peak_kw,
    cast(d.contract_mw as double precision) / 1000000 as contract_kw,
    cast(d.cost_e8 as double precision) / 100000000 as cost_ntd,
    cast(d.cost_e8 as double precision) / 100 / nullif(cast(d.amount as double precision), 0) as ntd_per_kwh,
    cast(d.scope_1_e10 as double precision) / 10000000000 as scope_1_kgco2e,
    cast(d.scope_2_location_e10 as double precision) / 10000000000 as scope_2_location_kgco2e,
    cast(d.scope_2_market_e10 as double precision) / 10000000000 as scope_2_market_kgco2e,
    cast(d.scope_3_e10 as double precision) / 10000000000 as scope_3_kgco2e
from each_day as d;
