-- One row: moves and fuel of the site, what a move takes, and the share of moves that hybrids made.
select
    sum(d.moves) as moves,
    sum(d.fuel_l) as fuel_l,
    sum(d.fuel_ntd) as fuel_ntd,
    sum(d.fuel_l) filter (where d.moves is not null)
    / nullif(sum(d.moves) filter (where d.fuel_l is not null), 0) as l_per_move,
    sum(d.energy_kwh) filter (where d.moves is not null)
    / nullif(sum(d.moves) filter (where d.energy_kwh is not null), 0) as kwh_per_move,
    coalesce(sum(d.moves) filter (where d.is_hybrid), 0) / nullif(sum(d.moves), 0) as hybrid_share
from mart.handler_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
having count(*) > 0;
