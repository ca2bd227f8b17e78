-- One row a site, local month and tariff band: purchased energy, its cost in NTD (5 % VAT included), price of a kWh.
-- Energy only: basic charge, excess, power factor and industry coefficient are in `kilowatch bill`.
-- A tariff that ends in ?provisional stands in for the one of those days, which is not known.
with zone as (
    select distinct
        p.site,
        p.time_zone
    from op.point as p
),

quarter as (
    select
        c.site,
        cast(date_trunc('month', c.starts_at at time zone 'UTC' at time zone z.time_zone) as date) as month_of,
        c.band,
        c.energy_kwh,
        c.cost_ntd,
        c.tariff_id
    from mart.cost_interval as c
    inner join zone as z on c.site = z.site
)

select
    q.site,
    q.month_of,
    q.band,
    sum(q.energy_kwh) as energy_kwh,
    sum(q.cost_ntd) as cost_ntd,
    sum(q.cost_ntd) / nullif(sum(q.energy_kwh), 0) as ntd_per_kwh,
    count(*) filter (where q.cost_ntd is null) as unknown_quarters,
    string_agg(distinct q.tariff_id, ', ') as tariff_ids
from quarter as q
group by q.site, q.month_of, q.band
order by q.site, q.month_of, q.band;
