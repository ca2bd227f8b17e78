-- One row a decision about a register: the newest first.
select
    e.happened_at,
    e.site,
    p.asset,
    e.point,
    e.kind,
    e.before_kwh,
    e.after_kwh,
    e.counted_kwh,
    e.reason
from mart.register_event as e
inner join mart.point as p on e.point = p.point
where e.site in (${site:sqlstring}) and $__timeFilter(e.happened_at)
order by e.happened_at desc, e.point asc
limit 100;
