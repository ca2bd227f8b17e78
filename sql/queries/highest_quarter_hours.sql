-- One row for each of a site's ten highest quarter-hours: average power against the contract, local time.
-- A quarter-hour of quality estimated may hold energy of others (a meter that caught up): its peak may not be real.
-- Quarter-hours of which a part is missing have no power and cannot be among them: see completeness.sql.
with ranked as (
    select
        d.site,
        d.starts_at,
        d.demand_kw,
        d.contract_kw,
        d.quality,
        row_number() over (partition by d.site order by d.demand_kw desc, d.starts_at asc) as place
    from mart.demand_15min as d
    where d.demand_kw is not null
),

zone as (
    select distinct
        p.site,
        p.time_zone
    from op.point as p
)

select
    r.site,
    r.place,
    r.starts_at at time zone 'UTC' at time zone z.time_zone as local_starts_at,
    r.demand_kw,
    r.contract_kw,
    r.demand_kw / nullif(r.contract_kw, 0) as contract_share,
    case
        when r.contract_kw > 0 then greatest(r.demand_kw - r.contract_kw, 0)
    end as over_contract_kw,
    r.quality
from ranked as r
inner join zone as z on r.site = z.site
where r.place <= 10
order by r.site, r.place;
