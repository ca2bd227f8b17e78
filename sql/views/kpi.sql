-- One row a role or number of a key figure: the point that plays it, or what the site's file says.
create or replace view mart.kpi as
select
    k.site,
    k.kind,
    k.asset,
    k.system,
    k.role,
    p.point,
    k.number as value,
    -- Fills, deliveries and the like: a day without one has none, and nothing tells how much of it they are known for.
    p.kind = 'amount' as is_event
from op.kpi as k
left join op.point as p on k.point_id = p.point_id
where position('@' in k.site) = 0;
