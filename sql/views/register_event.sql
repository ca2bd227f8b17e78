-- One row a decision about a register; values in the register's unit.
create or replace view mart.register_event as
select
    p.site,
    p.point,
    e.decided_at,
    e.happened_at,
    e.kind,
    e.before_value as before_kwh,
    e.after_value as after_kwh,
    e.counted_value as counted_kwh,
    e.reason
from fact.register_event as e
inner join op.point as p on e.point_id = p.point_id
where position('@' in p.site) = 0;
