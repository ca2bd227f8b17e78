-- One row a decision about the register: the newest first.
select
    e.happened_at,
    e.kind,
    e.before_kwh,
    e.after_kwh,
    e.counted_kwh,
    e.reason
from mart.register_event as e
where e.point in (${point:sqlstring}) and $__timeFilter(e.happened_at)
order by e.happened_at desc
limit 50;
