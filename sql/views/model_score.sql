-- One row a target point of a model and window: value, what its inputs make expected with a band, score, and its cause.
create or replace view mart.model_score as
select
    p.site,
    p.asset,
    p.point,
    m.starts_at,
    m.ends_at,
    m.version,
    m.value,
    case when p.kind = 'gauge' then p.unit else p.unit || case when p.kind = 'power' then '' else '/h' end end as unit,
    m.score,
    m.expected,
    m.lower,
    m.upper,
    case abs(m.cause)
        when 1 then 'unlike what its inputs explain'
        when 2 then 'for about a day unlike what its inputs explain'
        when 3 then 'a combination of values never seen before'
        when 4 then 'no score: an input is not known'
        when 5 then 'no score: an input is outside what was trained on'
        else 'nothing known yet'
    end
    || case
        when abs(m.cause) > 3 then '' when m.cause > 0 then ', above what was expected'
        when m.cause < 0 then ', below what was expected' else ''
    end
        as cause
from fact.model_score as m
inner join op.point as p on m.point_id = p.point_id
where position('@' in p.site) = 0;
