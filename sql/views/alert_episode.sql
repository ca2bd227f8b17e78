-- One row an episode, as it stands; `closed_at` is null while it lasts. `parent_episode_id` names the episode of a
-- parent asset that stood for it in messages. Numbers are in `unit`, null where there is none.
create or replace view mart.alert_episode as
with acknowledged as (
    select
        a.episode_id,
        a.acknowledged_at,
        a.by_whom,
        row_number() over (partition by a.episode_id order by a.acknowledged_at, a.by_whom) as nth
    from fact.alert_acknowledgement as a
),

grouped as (
    select
        d.episode_id,
        min(d.parent_episode_id) as parent_episode_id
    from fact.alert_delivery as d
    where d.parent_episode_id is not null
    group by d.episode_id
)

select
    e.episode_id,
    e.site,
    e.rule,
    e.subject,
    e.asset,
    e.severity,
    e.opened_at,
    e.closed_at,
    e.updated_at,
    nullif(e.value, cast('NaN' as double precision)) as value,
    nullif(e.worst, cast('NaN' as double precision)) as worst,
    nullif(e.limit_value, cast('NaN' as double precision)) as limit_value,
    e.unit,
    e.flaps,
    k.acknowledged_at,
    k.by_whom as acknowledged_by,
    e.said_zh,
    e.said_en,
    e.advice_zh,
    e.advice_en,
    g.parent_episode_id,
    e.catalog_id as configuration_id
from fact.alert_episode as e
left join acknowledged as k on e.episode_id = k.episode_id and k.nth = 1
left join grouped as g on e.episode_id = g.episode_id
where position('@' in e.site) = 0;
