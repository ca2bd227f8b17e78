-- One row a furnace: hours hot, waiting hot and what that took, minutes overheated, energy of a piece, yield.
with price as (
    select
        s.site,
        sum(s.cost_ntd) / nullif(sum(s.import_kwh) filter (where s.cost_ntd is not null), 0) as ntd_per_kwh
    from mart.site_daily as s
    where
        s.site in (${site:sqlstring}) and in_local_days(s.day)
    group by s.site
),

ran as (
    select
        d.site,
        d.asset,
        sum(d.hot_h) as hot_h,
        sum(d.waiting_hot_h) as waiting_hot_h,
        sum(d.waiting_hot_kwh) as waiting_hot_kwh,
        sum(d.overheated_min) as overheated_min,
        sum(d.energy_kwh) as energy_kwh,
        sum(d.energy_kwh) filter (where d.good_pieces is not null)
        / nullif(sum(d.good_pieces) filter (where d.energy_kwh is not null), 0) as kwh_per_piece,
        sum(d.good_pieces) filter (where d.scrap_pieces is not null)
        / nullif(sum(d.good_pieces + d.scrap_pieces), 0) as yield_share,
        sum(d.known_h) as known_h
    from mart.furnace_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and in_local_days(d.day, z.time_zone)
    group by d.site, d.asset
)

select
    r.site,
    r.asset,
    r.hot_h,
    r.waiting_hot_h,
    r.waiting_hot_kwh,
    r.waiting_hot_kwh * p.ntd_per_kwh as waiting_hot_ntd,
    r.overheated_min,
    r.energy_kwh,
    r.kwh_per_piece,
    r.yield_share,
    r.known_h
from ran as r
left join price as p on r.site = p.site
order by r.waiting_hot_h desc nulls last, r.asset asc;
