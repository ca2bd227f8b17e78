-- One row a point of a measure: what a site changed, from which local day on, and what the point is compared by.
create or replace view mart.measure as
select
    m.site,
    m.measure,
    m.from_day,
    m.title_zh,
    m.title_en,
    m.role,
    p.asset,
    p.point
from op.measure as m
inner join op.point as p on m.point_id = p.point_id
where position('@' in m.site) = 0;
