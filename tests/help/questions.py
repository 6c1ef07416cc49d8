"""Questions as people put them, and the section that answers each; misspelt ones and single words among them."""


def parse_questions(text):
    """Return title -> questions: a line `Title:`, then indented lines of questions, separated by ` | `."""
    blocks = [block.strip().partition(":\n") for block in text.strip().split("\n##")]
    return {title.strip("# "): [q.strip() for q in " ".join(rows.split()).split(" | ")] for title, _, rows in blocks}


ENGLISH = parse_questions("""
## First steps:
    How do I start? | what is this? | getting started | how do I begin
## Beside Jupyter AI, llm and chatlas:
    how is it different from jupyter ai | why not the llm tool by Simon Willison | difference between lockbots and
    chatlas | lockbots vs jupyter-ai
## Licence and price:
    which licence does it have | can we use it commercially | is the product free | is there a paid version
## VS Code, Colab, JupyterHub:
    how to use it in vscode | does it work in colab | google colab
## A class or a team on JupyterHub:
    jupyterhub with 30 students | one key for all students | limit models for students | forbid expensive models
## Install, upgrade, uninstall:
    how to install | how do I upgrade | which version do I have | unload
    the extension
## Offline installation:
    install without internet | offline installation | our server has no internet, can I install it there |
    wheelhouse
## Versions of Python and Jupyter:
    which python version is needed | is notebook 6 supported | can I install it with conda | does it work on Python
    3.9
## Cell magic %%chat not found:
    Cell magic `%%chat` not found | No module named lockbots_magic | ModuleNotFoundError for the package
## Load the extension at each start:
    load the extension automatically | load it on startup
## Keys from a .env file:
    does it read .env files | load the key from a .env file
## Connect a real model:
    how do I connect a real model? | how do i conect a modle | how to connect model
## Models there are, and the one in use:
    which models are available? | Which provider am I using? | list models | which model am I using
## Change the model:
    switch model | change the model in the middle of a chat | whats the default model
## Which model to choose:
    how much memory does my own model take | which model fits 8gb of ram | do I need a gpu
## Any OpenAI-compatible server:
    what is base_url? | my company has its own server with an OpenAI API | how do I reset the base url | custom
    endpoint | use my own server
## Proxies and certificates:
    how to use a proxy | behind a corporate proxy | ssl certificate error | CERTIFICATE_VERIFY_FAILED
## Azure OpenAI:
    azure openai | azure deployment
## Gateways and headers:
    how do I send a header | custom header | turn off streaming
## Dialects: chat completions, Responses and messages:
    responses api | what is a dialect | only supported in v1/responses | v1/messages
## The prompt cache of Anthropic:
    prompt caching | cache_control | set cache
## OpenAI, Anthropic, Gemini and other services:
    how do I connect OpenAI? | Can I use Claude from Anthropic? | where do I put my gemini key | connect gpt-4 |
    how do I connect chatgpt | where do i get an api key | use chat gpt | connect openia | how to use chatgtp |
    get a key for claude | conect to openai | antropic key | use gpt4
## GigaChat, YandexGPT and other compatible services:
    connect gigachat | yandexgpt | is grok supported | use a service that is not listed
## Services that are blocked in your country:
    openai is blocked in my country | unsupported_country_region_territory | do I need a vpn
## Ollama:
    how do I use Ollama? | can I run a model locally? | run local model | olama | llama locally | i want to use
    a local llm
## A model without a server:
    use a gguf file | run a model file without a server | smollm2
## LM Studio:
    how do I use LM Studio
## llama.cpp:
    connect to llama.cpp | how to connect a local llama server
## vLLM:
    vllm on our gpu cluster
## Models from Hugging Face:
    use a model from huggingface | run a hugging face model
## Find local servers:
    which model servers are running on my machine? | find local servers | is there an ollama running here? |
    %lockbots discover | discover servers | find ollama on my machine
## Check what a server does:
    does my server support tools | diagnose
## Lockchat:
    what is lockchat?
## Liaobots:
    how do I log in to liaobots?
## A Python function as the model:
    can a python function be the model? | how do I use a Hugging Face pipeline?
## Write a plug-in:
    how do I write a plugin? | how do I add my own provider? | entry points | add a provider | custom provider
    plugin
## Options of %%chat:
    how do I set the temperature? | what does -m do? | how do I pass max_tokens? | how do I ask without history?
    | how to change the temperature | one-off question without history | how to stop repeating the history,
    one-off question | set temprature | max tokens | what options are there for chat | how can i make the answer
    shorter | how do I turn off history | make it speak french | max tokens setting
## A system prompt for all cells:
    How can I set a system prompt? | system promt | a system prompt for all cells | always answer in German
## One-line prompts with %chat:
    what's the difference between %chat and %%chat | ask in one line
## Braces, quotes and dashes:
    do I have to escape curly braces? | what does -- mean? | what does --raw do? | can I write $ and quotes? |
    my prompt has double braces, how do I send them as they are | escape braces | curly braces in prompt
## Variables and values in a prompt:
    how do I put a dataframe into the prompt | can I use a variable in the prompt? | f-string in prompt | how do
    I ask about my data? | send a table to the model | how do I show the model my function's source code | how
    many rows of a data frame are sent? | insert the value of a variable | what is last_error | can it see my
    variables? | NameError in my prompt | how to pass a pandas datafrme | insert variabel in prompt
## Files, images and cells in a prompt:
    how do I attach a file? | what does --cells do? | send a csv file with my question | how do I give it the
    previous cells of my notebook? | upload a file | how do i give it my csv
## Documents: PDF, Word, Excel:
    attach pdf file | can it read a pdf | only some pages of a pdf
## Databases and SQL:
    use a sql result in a prompt | can it query my database
## Images in a prompt:
    can I send an image? | how to ask about a screenshot | send screenshot | images in prompt
## Web pages and other sources:
    read a web page
## See what would be sent:
    how can I see what is sent before I send it? | dry run | how many tokens will my prompt take? | preview the
    request | what does --dry-run do? | preview prompt | what is sent to the model | how to see the raw request
## Where your data goes:
    what data leaves my machine? | does it send my data anywhere | is there telemetry
## What it does not do:
    can it fine-tune a model? | does it complete code while I type | voice input
## Agents that edit the notebook:
    is it an agent | can it edit my notebook by itself | agent that edits cells
## Personas:
    how do I reuse a system prompt? | what is a persona? | prompt templates | system prompt from a file | where
    do I keep my personas? | persona | reuse system prompt
## A reply in a variable:
    what does --to do? | how can I get the reply into a variable? | save the answer to a varaible
## A reply as checked JSON:
    answer as JSON | how do I get structured output? | validate the answer with pydantic | can the answer fill a
    dataclass? | JSON schema | structured ouput | parse json reply | how to get json output
## Code of a reply in a new cell:
    put the code into a new cell | only the code, please
## Functions that the model may call:
    can the model call my functions? | function calling | how do I give it tools? | what does --tools do? | is
    it safe to let the model call a function? | give the model a tool | tool use | can it run code |
    model keeps calling functions
## Approve tool calls:
    how do I approve a tool call? | ask me before calling | --approve | why was the call refused? | approval
    policy | nobody is there to ask
## MCP servers:
    how do I connect an MCP server? | mcp | can it use the model context protocol? | read my .mcp.json | my MCP
    server needs an API key | the MCP server has changed this tool | does it support mcp oauth | rug pull
## A prompt for each row:
    how do I classify every row of a data frame | ask the model about each row | label my data | go on with a
    batch after a crash | batch
## Explain and fix an error:
    explain my error | how do I fix my code? | why did my cell fail? | explain the traceback | debug my code | I
    got an error | what does this error mean? | what does %lockbots fix do? | my cell failed | fix the bug in my
    code | what does this traceback mean
## Chat panel:
    is there a chat window? | how do I open the panel? | can I type while a cell runs? | open the chat pannel |
    chat sidebar
## The panel is not shown:
    the panel is blank | Error displaying widget | the panel does not appear
## Keyboard shortcuts:
    keyboard shortcuts | how do I send a message in the panel
## How a reply is shown:
    why is the picture only a link? | can a reply run javascript? | how do I write formulas in LaTeX? | does it
    work in jupyter console? | NO_COLOR | latex formulas | render markdown | dark theme | images are not shown |
    markdown tables broken | math not rendering
## The line below a reply:
    hide the line below the reply | what does foot_line do
## Images and sources in a reply:
    can the model draw a picture? | generate an image | where are the citations? | which model answered?
## Reasoning models:
    how do I turn off thinking? | where are the thoughts of the model | set the reasoning effort | the model
    thinks for minutes | show the chain of thought
## Several conversations:
    how do I start a new conversation? | copy a conversation | delete a conversation | show me the history |
    start a new chat | show histroy | how to swich conversation | rename conversation
## Compare models:
    how do I compare two models? | ask several models at once | which model is better? | models side by side |
    compare gpt-4o and claude | ask the same question to two models | compare gpt and claude | ask two models |
    how do I use two models at once
## Run a cell again:
    what happens when I run a cell again? | what does stale mean? | rerun a cell | what is a stale turn
## Undo, retry, clear:
    How do I undo a question? | How do I remove the last message? | regenerate the answer | undo last turn |
    delete last message | regenrate | delete everything
## Stop a reply:
    how do I stop a reply? | the model keeps talking, how to make it stop | how to cancel | stop generating |
    interupt the model | stop everything
## Replies in the background:
    stop a background reply | can I run other cells while it answers? | how do I ask in the background? | what
    does --background do? | don't wait for the reply | run in background | ask in backgroud | how to run in
    background and continue working
## Nothing is shown:
    nothing is shown | nothing comes out when I run the cell | the cell hangs | why is the output empty
## A reply does not stream:
    it doesn't stream | the whole answer appears at once | turn on streaming
## A slow reply:
    why is it so slow | my local model is very slow | make it faster
## Access refused: 401 and 403:
    error 401 | 401 unauthorized | invalid api key error | key not found | 403 forbidden
## The server can't be reached:
    connection refused | conection refused | connection reset | cannot connect to localhost
## Model not found: 404:
    model not found | error 404
## Too many requests: 429 and quota:
    I got an error 429 | rate limit exceeded | you exceeded your current quota
## A reply that is cut off:
    the answer is cut off in the middle | reply is truncated
## Errors and retries:
    it times out | how can I change the timeout? | what if the connection breaks midway? |
    what happens if I run a failed cell again? | error 500 | timeout error | what is the default timeout
## Long conversations:
    what happens when the conversation gets too long? | the model forgot the beginning | context window exceeded
    | too many tokens | prompt too long | why did it forget what i said
## Usage and cost:
    how much did it cost? | what did this conversation cost me? | how many tokens did I use? | tokens per second
    | how do I set my own prices? | usage | how expensive was it | token usage | how many tokens
## Limit what it costs:
    limit cost | limit of 5 dollars | spending limit
## Log and search:
    how do I find an old conversation? | search all my chats | is everything I ask logged? | what did I ask last
    week
## Switch the log on or off, or delete it:
    how do I delete something from the log | where is the log file | turn off the log
## Save, export, import:
    how do I save a conversation? | export to markdown | can I send a conversation as a web page? | import
    messages from openai | exprot to html | how do I save my chat | where do conversations get saved | export
    chat to pdf | share chat with colleague
## Restore after a restart:
    can I continue tomorrow after a kernel restart? | the kernel died and my conversation is gone | how do I
    restore a conversation from the notebook? | restore my conversation | kernel restarted, where is my chat |
    lost my conversation | notebook restarted lost everything | how to continue yesterday's chat
## Share a notebook without its conversation:
    share a notebook without its conversation | remove the conversation before publishing | who sees my conversation
    | what is saved in the notebook
## Record and replay:
    how do I record the answers? | what is a cassette? | can it run without a network? | LOCKBOTS_CASSETTE_MODE
    | what does NotRecordedError mean? | how do I get the same answers again? | explain cassettes | explain how
    to record | how do I use a casette | vcr | offline replay | what is a cassette file
## Settings:
    what settings | how do I make this model the default everywhere? | ipython_config.py | change default model
    | default temperature | where are settings stored
## Language of messages:
    messages in Russian | interface language
## Tab completion:
    does tab completion work? | autocomplete the model names | what does the tab key do? | autocompletion | tab
    does not work
## Credentials and safety:
    where is my API key kept? | Is my key saved in the notebook? | how do I log out? | how do I log out | error:
    no credential | where is the key stored | is my api key safe | how do I set my api key | delete my key |
    enter api key | env variable for key | where is my password
## From Python:
    how do I use it from python? | iterate over the streamed text in Python | temperature in python | can I set
    the timeout from python? | use it in a script | python api | streaming in python
## Await replies:
    how do I await a reply? | use it with asyncio | run prompts concurrently | is there an async api | cancel a
    task | async for | ask_async
## Tests and CI:
    how do I run nbval on my notebooks? | LOCKBOTS_LIVE | how do I disable live output? | pytest fixture | run
    in github actions | pytest | nbval | use with pytest
## Mock server:
    try without a key | fake server for experiments | what is the mock server | how do I test without an account
    | sandbox | mock server for tests | start mock server
## Get help:
    help | what commands are there | where is the documentation | what topics do you know | how do I get help |
    list of commands
## What the words mean:
    what is a token | what is a provider | glossary
## Report a bug:
    where do I report a bug | I found a bug | report a vulnerability | feature request
## Ask a person:
    talk to a human | contact the developers | is there support
""")

RUSSIAN = parse_questions("""
## Первые шаги:
    с чего начать? | что это такое? | с чего начать | начало работы
## Чем отличается от Jupyter AI, llm и chatlas:
    чем отличается от jupyter ai | чем это лучше jupyter ai | отличие от библиотеки llm саймона уиллисона | чем
    отличается от chatlas | какие есть аналоги
## Лицензия и цена:
    какая лицензия | можно ли использовать на работе | есть ли платная версия | сколько стоит lockbots
## VS Code, Colab, JupyterHub:
    работает ли в vscode | гугл колаб
## Группа студентов или команда в JupyterHub:
    jupyterhub на 30 студентов | один ключ на всех | как запретить студентам дорогие модели | ограничить модели для
    студентов
## Установить, обновить, удалить:
    как установить | как обновить | какая версия | выгрузить расширение
## Установка без интернета:
    установить без интернета | на сервере нет интернета, как установить | офлайн-установка
## Версии Python и Jupyter:
    какая версия python нужна | поддерживается ли notebook 6 | установить через conda | работает ли на python 3.9
## Команда %%chat не найдена:
    %%chat не работает | не находит модуль lockbots_magic
## Загружать расширение при запуске:
    загружать расширение автоматически | чтобы грузилось само
## Ключи из файла .env:
    читает ли .env файлы | загрузить ключ из файла .env
## Подключить настоящую модель:
    как подключить настоящую модель? | как подключить модель? | как подключить нейросеть |
    подключить модел | выбрать модель
## Какие модели есть и какая выбрана:
    какие модели есть? | список моделей | какая модель сейчас
## Сменить модель:
    как сменить модель? | сменить модель
## Какую модель выбрать:
    какую модель взять на слабый ноутбук | нужна ли видеокарта
## Любой сервер, совместимый с OpenAI:
    как подключить свой сервер? | как вернуть адрес по умолчанию | свой адрес сервера | совместимый сервер |
    подключиться к своему серверу
## Прокси и сертификаты:
    использовать прокси | корпоративный прокси | ошибка сертификата | самоподписанный сертификат
## Azure OpenAI:
    как подключить azure
## Шлюзы и заголовки:
    как отправить свой заголовок | отключить стриминг
## Диалекты: chat completions, Responses и messages:
    что такое диалект | сменить диалект
## Кэш промптов Anthropic:
    кэш промптов | запись в кэш
## OpenAI, Anthropic, Gemini и другие сервисы:
    как подключить OpenAI? | хочу использовать клод | как подключить чатгпт | где взять ключ | подключить чат
    гпт | где получить api ключ | как получить ключ openai | подключить gpt | использовать клод | как подключить
    гпт-4 | подключить опен аи | подключить дипсик | как подключить чат джипити | подключить гемини
## GigaChat, YandexGPT и другие совместимые сервисы:
    подключить гигачат | подключить yandexgpt | сервиса нет в списке | сертификат минцифры
## Сервисы, недоступные в вашей стране:
    openai заблокирован, чем заменить | работает ли в россии | нужен ли vpn
## Ollama:
    как подключить Ollama? | можно ли без интернета? | как запустить модель локально? | запустить локальную
    модель | подключить оламу | модель без интернета | оллама | подключить локальную нейросеть
## Модель без сервера:
    как запустить файл gguf | модель без сервера | сколько памяти занимает своя модель
## LM Studio:
    как подключить lm studio
## vLLM:
    как подключиться к vLLM
## Модели с Hugging Face:
    подключить модель с huggingface | запустить модель с hugging face
## Найти локальные серверы:
    как найти локальные серверы? | какие серверы запущены на моём компьютере | найти сервер | найти олламу на
    компьютере
## Что умеет сервер:
    что умеет мой сервер | диагностика | поддерживает ли сервер инструменты
## Liaobots:
    нужен ли код для liaobots
## Функция Python вместо модели:
    можно ли вместо модели функцию? | своя функция как модель | своя функция вместо модели
## Написать плагин:
    как написать плагин? | как добавить своего провайдера | плагин | свой провайдер
## Параметры %%chat:
    как задать температуру? | как поменять температуру | задать темпиратуру | параметры чата | макс токенов |
    как сделать ответ короче | как отключить историю | ограничить длину ответа
## Системный промпт для всех ячеек:
    Как задать системный промпт? | как заставить отвечать по-русски (системный промпт) | системный промпт |
    сделать чтобы отвечал на русском | системный промпт для всех ячеек
## Запрос одной строкой: %chat:
    чем %chat отличается от %%chat?
## Скобки, кавычки и дефисы:
    надо ли экранировать скобки? | можно ли писать доллар и кавычки | что делает --raw | экранировать скобки |
    кавычки
## Переменные и значения в запросе:
    как подставить переменную в запрос? | как передать таблицу в запрос | как вставить датафрейм в промпт | как
    спросить модель о моих данных | сколько строк таблицы отправляется? | вставить переменную | передать
    датафрейм | отправить таблицу | как дать ему таблицу
## Файлы, картинки и ячейки в запросе:
    как приложить файл? | как показать модели предыдущие ячейки | что делает --cells | прикрепить файл |
    загрузить файл в запрос
## Документы: PDF, Word, Excel:
    умеет читать пдф? | отправить только некоторые страницы pdf
## Базы данных и SQL:
    результат sql в запрос | подключить базу данных
## Картинки в запросе:
    можно ли отправить картинку? | отправить картинку | скриншот | картинка в запросе
## Веб-страницы и другие источники:
    дать модели веб-страницу | прочитать сайт
## Посмотреть, что будет отправлено:
    как посмотреть, что будет отправлено? | сколько токенов в моём запросе | можно ли проверить запрос без
    отправки | что отправляется | предпросмотр запроса
## Куда уходят ваши данные:
    какие данные уходят на сервер? | мои данные куда-то уходят? | закрытый контур
## Чего здесь нет:
    можно ли дообучить модель? | есть голосовой ввод? | подсказки кода при наборе
## Агенты, которые правят блокнот:
    это агент? | агент, который сам редактирует блокнот | может сам запускать ячейки
## Персоны:
    что такое персона? | шаблоны промптов | системный промпт из файла | персона | шаблоны
## Ответ в переменной:
    Как записать ответ в переменную? | сохранить ответ в переменую
## Ответ как проверенный JSON:
    как получить ответ в JSON | ответ по схеме pydantic | ответ в виде словаря | ответ json | как получить json
## Код ответа в новой ячейке:
    как вставить код из ответа в новую ячейку | получить код | может писать код сразу в следующую ячейку?
## Функции, которые может вызвать модель:
    может ли модель вызывать мои функции? | как дать модели инструменты | что делает --tools | вызов функций |
    инструменты модели | может ли он выполнять код
## Разрешить вызовы:
    как разрешить вызов? | спросить меня перед вызовом | почему вызов отклонён? | подтверждение вызова
## Серверы MCP:
    как подключить сервер MCP? | серверы mcp | поддерживается ли model context protocol | файл .mcp.json |
    сервер изменил описание
## Запрос для каждой строки:
    как спросить модель о каждой строке | разметить таблицу | классифицировать отзывы в датафрейме
## Объяснить и исправить ошибку:
    объясни мою ошибку | как исправить ошибку в ячейке? | почему упала моя ячейка | исправить код | объяснить
    ошибку | исправь код | ошибка в моей ячейке | упала ячейка
## Панель чата:
    как открыть панель? | есть ли окно чата? | открыть панель | панэль чата | чат сбоку
## Панель не показывается:
    панель не показывается | панель пустая
## Клавиши:
    горячие клавиши | сочетания клавиш
## Как показан ответ:
    почему вместо картинки ссылка? | отображаются ли формулы? | опасен ли javascript в ответе? | формулы |
    почему картинка не показана | темная тема | формулы не отображаются
## Строка под ответом:
    убрать строку под ответом | как скрыть токены
## Картинки и источники в ответе:
    может ли модель нарисовать картинку? | генерация изображений | где источники ответа? | какая модель
    ответила?
## Модели с рассуждениями:
    как отключить рассуждения? | где рассуждения модели | модель долго думает
## Несколько бесед:
    как начать новую беседу? | как переключиться между беседами | где посмотреть историю | новый разговор |
    начать новый чат | история беседы | переключить беседу | удалить беседу
## Сравнить модели:
    как сравнить две модели? | какая модель лучше | спросить сразу несколько моделей | сравнить модели |
    сравнить ответы
## Запустить ячейку снова:
    что будет, если запустить ячейку ещё раз? | ячейка выполнена дважды | запустить ячейку повторно | что значит
    устаревший
## Отменить, повторить, очистить:
    как отменить последний вопрос? | хочу другой ответ | как очистить беседу? | удалить последнее сообщение |
    отменить вопрос | повторить вопрос | очистить историю | удалить всё
## Прервать ответ:
    как остановить ответ? | Как прервать генерацию? | остановить ответ | как прервать | отменить генерацию |
    остоновить | остановить всё
## Ответ в фоне:
    как остановить фоновый ответ | можно ли выполнять другие ячейки, пока идёт ответ | спросить в фоне | в
    фоновом режиме | не ждать ответа
## Ничего не показывается:
    ничего не выводит после запуска ячейки | ничего не показывается | ячейка зависла | почему вывод пустой
## Ответ приходит весь сразу:
    не стримит | ответ появляется целиком | включить стриминг
## Медленный ответ:
    почему так медленно | локальная модель тормозит | как ускорить ответы
## Доступ отклонён: 401 и 403:
    ошибка 401 | что значит ошибка 401 | ошибка авторизации | неверный ключ | ключ не найден | ошибка 403
## Нет связи с сервером:
    connection refused у олламы | сервер недоступен
## Модель не найдена: 404:
    модель не найдена | ошибка 404
## Слишком много запросов: 429 и квота:
    что делать при ошибке 429? | ошибка 429 | превышена квота
## Ответ обрывается:
    ответ обрывается на полуслове
## Ошибки и повторы:
    как увеличить таймаут | почему не работает? | что если соединение оборвётся |
    ошибка 500 | таймаут | не отвечает сервер | соединение прервано |
    сколько ждать ответа | обрыв соединения | модель не отвечает
## Длинные беседы:
    беседа не помещается в контекст | модель забыла начало разговора | слишком длинный запрос | не помещается в
    контекст | почему он всё забыл
## Расход и стоимость:
    сколько это стоило | сколько токенов я потратил? | как задать свои цены | сколько стоит один вопрос |
    сколько стоит | сколько токенов потрачено | стоимость запросов
## Ограничить расходы:
    ограничить расходы | поставить лимит 5 долларов
## Журнал и поиск:
    как найти старую беседу? | поиск по всем беседам | что я спрашивал на прошлой неделе
## Включить, выключить или удалить журнал:
    как удалить из журнала | где лежит журнал | включить журнал
## Сохранить, экспортировать, импортировать:
    как сохранить беседу? | как сохранить бесседу | как загрузить беседу из файла | экспорт в markdown |
    сохранить чат | экспорт в html | выгрузить беседу | сохранить диалог | где хранятся беседы | экспорт в pdf |
    поделиться чатом
## Восстановить после перезапуска:
    как восстановить беседу после перезапуска ядра? | ядро умерло, беседа пропала | восстановить беседу | ядро
    перезапустилось | пропала беседа | блокнот перезапустился и всё пропало | продолжить вчерашний чат
## Поделиться блокнотом без беседы:
    поделиться блокнотом без беседы | убрать переписку перед публикацией | увидит ли коллега мою переписку | что
    сохраняется в блокноте
## Записать и воспроизвести:
    как записать ответы в кассету? | как воспроизвести без сети? | те же ответы | кассета | как записать касету
    | воспроизвести ответы | работать офлайн | чем отличается replay от record
## Настройки:
    как сделать модель по умолчанию? | переменная LOCKBOTS_MODEL | температура для всех ячеек | модель по
    умолчанию | где настройки | изменить настройки
## Язык сообщений:
    переключить на английский | язык интерфейса
## Автодополнение:
    работает ли автодополнение? | что делает клавиша Tab | автодополнение | автозаполнение
## Ключи и безопасность:
    где хранится мой ключ? | безопасно ли писать ключ в ячейке? | где хранится ключ | как ввести ключ | как
    удалить ключ | как сохранить ключ | куда вводить ключ | выйти из аккаунта | безопасен ли ключ | переменная с
    ключом | поменять ключ
## Из Python:
    как использовать из питона? | использовать из python | питон скрипт
## Ожидание ответов через await:
    как ждать ответ через await? | асинхронно | корутины | сразу несколько запросов
## Тесты и CI:
    как запустить тесты nbval? | запустить в ci
## Тестовый сервер:
    как попробовать без ключа? | что такое песочница? | Как запустить песочницу и сделать её медленной |
    песочница | что такое песочница | тестовый сервер | как запустить тестовый сервер | попробовать без ключа |
    мок-сервер
## Справка:
    помощь | какие есть команды | какие темы ты знаешь | список команд | справка
## Что значат слова:
    что такое токен | что такое провайдер | глоссарий
## Сообщить об ошибке в Lockbots:
    куда писать об ошибке | нашёл баг | сообщить об уязвимости
## Спросить человека:
    поговорить с человеком | связаться с разработчиками | служба поддержки
""")

UNRELATED = parse_questions("""
## Nothing:
    2+2? | what is the capital of France? | explain quantum mechanics | Why is the sky blue? | my dog is ill |
    Name three prime numbers. | difference between list and tuple | Explain gravity to a child | what time is
    it? | compare apples and oranges | how much is a litre of milk | how do I learn French? | how do I boil an
    egg? | best laptop to buy | столица Франции? | почему небо голубое? | как сварить борщ? | кто написал «Войну
    и мир»? | сколько будет 2+2 | сколько времени | как назвать кота | сколько стоит билет в Москву | объясни
    квантовую механику | what is the weather | кто президент | how to cook rice | погода в москве | write me an
    essay about cats | рецепт пирога | translate hello into french | what is love | сколько лет солнцу | как
    похудеть | python list comprehension syntax | how old is the universe | расскажи о себе | buy a car | фильмы
    про космос | где купить хлеб | как выучить английский
""")["Nothing"]
"""Questions about something else: the help has no answer."""
