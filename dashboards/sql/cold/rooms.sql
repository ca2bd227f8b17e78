-- One row a room: its band, how well it was held, its mean kinetic temperature of the range, and its door.
with band as (
    select
        k.site,
        k.asset,
        max(k.value) filter (where k.role = 'low_c') as low_c,
        max(k.value) filter (where k.role = 'high_c') as high_c
    from mart.kpi as k
    where k.site in (${site:sqlstring}) and k.kind = 'room'
    group by k.site, k.asset
),

held as (
    select
        d.site,
        d.asset,
        sum(d.mean_c * d.known_h) / nullif(sum(d.known_h), 0) as mean_c,
        -10000 / ln(
            nullif(sum(exp(-10000 / (d.mean_kinetic_c + 273.15)) * d.known_h), 0) / nullif(sum(d.known_h), 0)
        ) - 273.15 as mean_kinetic_c,
        sum(d.excursion_min) as excursion_min,
        1 - sum(d.excursion_min) / nullif(sum(d.known_h) * 60, 0) as in_band_share,
        sum(d.above_degree_min) as above_degree_min,
        sum(d.below_degree_min) as below_degree_min,
        sum(d.door_open_min) as door_open_min,
        sum(d.known_h) as known_h
    from mart.room_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and in_local_days(d.day, z.time_zone)
    group by d.site, d.asset
)

select
    b.site,
    b.asset,
    b.low_c,
    b.high_c,
    h.mean_c,
    h.mean_kinetic_c,
    h.in_band_share,
    h.excursion_min,
    h.above_degree_min,
    h.below_degree_min,
    h.door_open_min,
    h.known_h
from band as b
left join held as h on b.site = h.site and b.asset = h.asset
order by h.excursion_min desc nulls last, b.asset asc;
