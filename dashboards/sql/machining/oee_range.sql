-- One row: elements of OEE of the machine over the working days of the range (ISO 22400-2). OEE index is their product.
with planned as (
    select
        sum(d.cutting_h) as apt_h,
        sum(d.planned_h) as pbt_h,
        sum(d.pieces) as pieces,
        sum(d.good_pieces) as good_pieces,
        sum(d.scrap_pieces) as scrap_pieces,
        max(d.ideal_s) as pri_s
    from mart.machine_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and d.asset in (${machine:sqlstring})
        and in_local_days(d.day, z.time_zone)
        and d.planned_h is not null
)

select
    p.apt_h / nullif(p.pbt_h, 0) as availability,
    p.pri_s * p.pieces / nullif(p.apt_h * 3600, 0) as effectiveness,
    case when p.scrap_pieces is not null then p.good_pieces / nullif(p.pieces, 0) end as quality_ratio,
    p.pri_s * p.good_pieces / nullif(p.pbt_h * 3600, 0) as oee
from planned as p
where p.pbt_h > 0;
