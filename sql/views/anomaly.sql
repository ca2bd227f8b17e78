-- One row a point and interval that was scored: value, what was expected with its band, score, and its cause in words.
create or replace view mart.anomaly as
select
    p.site,
    p.asset,
    p.point,
    a.starts_at,
    a.ends_at,
    a.value,
    case when p.kind = 'gauge' then p.unit else p.unit || case when p.kind = 'power' then '' else '/h' end end as unit,
    a.score,
    a.expected,
    a.lower,
    a.upper,
    case abs(a.cause)
        when 1 then 'far from its recent level'
        when 2 then 'changed unlike this time of the week'
        when 3 then 'unlike this time of the week'
        when 4 then 'a course never seen before'
        else 'nothing known yet'
    end
    || case
        when a.cause > 0 then ', above what was expected' when a.cause < 0 then ', below what was expected' else ''
    end
        as cause,
    a.is_warming
from fact.anomaly as a
inner join op.point as p on a.point_id = p.point_id
where position('@' in p.site) = 0;
