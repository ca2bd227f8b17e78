-- One row a usable reading that is still in the store, as it came: value or text, in the unit that its sender named.
create or replace view mart.reading as
select
    p.site,
    p.asset,
    p.point,
    r.read_at,
    r.value,
    r.text,
    coalesce(r.unit, p.unit) as unit,
    case r.quality when 0 then 'good' when 1 then 'uncertain' else 'bad' end as quality,
    r.late_at is not null as is_late,
    s.name as source,
    r.received_at
from raw.reading as r
inner join op.point as p on r.point_id = p.point_id
left join op.source as s on r.source_id = s.source_id
where position('@' in p.site) = 0;
