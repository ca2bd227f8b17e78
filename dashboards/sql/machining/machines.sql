-- One row a machine: hours of each state, set-ups, energy of idling and its cost, energy of a piece.
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
        sum(d.cutting_h) as cutting_h,
        sum(d.setup_h) as setup_h,
        sum(d.idle_h) as idle_h,
        sum(d.off_h) as off_h,
        sum(d.setups) as setups,
        sum(d.setup_h) * 60 / nullif(sum(d.setups), 0) as setup_min_per_job,
        sum(d.idle_kwh) as idle_kwh,
        sum(d.energy_kwh) as energy_kwh,
        sum(d.good_pieces) as good_pieces,
        sum(d.energy_kwh) filter (where d.good_pieces is not null)
        / nullif(sum(d.good_pieces) filter (where d.energy_kwh is not null), 0) as kwh_per_piece,
        sum(d.known_h) as known_h
    from mart.machine_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and in_local_days(d.day, z.time_zone)
    group by d.site, d.asset
)

select
    r.site,
    r.asset,
    r.cutting_h,
    r.setup_h,
    r.idle_h,
    r.off_h,
    r.setups,
    r.setup_min_per_job,
    r.idle_kwh,
    r.idle_kwh * p.ntd_per_kwh as idle_ntd,
    r.energy_kwh,
    r.good_pieces,
    r.kwh_per_piece,
    r.known_h
from ran as r
left join price as p on r.site = p.site
order by r.idle_h desc nulls last, r.asset asc;
