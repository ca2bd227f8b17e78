-- One row a rejected reading or message, with the reason.
create or replace view mart.quarantine as
select
    q.received_at,
    q.source,
    q.reason,
    q.payload
from fact.quarantine as q
where position('run:' in q.source) <> 1
union all
select
    r.recorded_at as received_at,
    p.point as source,
    r.reason,
    concat(
        '{"point":"', p.point, '","read_at":"', r.read_at, '","value":', cast(r.value as decimal(30, 6)), '}'
    ) as payload
from fact.rejected_reading as r
inner join op.point as p on r.point_id = p.point_id
where position('@' in p.site) = 0;
