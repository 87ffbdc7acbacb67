<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * The Python module `kohana`: what Python classes use of Kohana.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_PythonTest extends Tortoise_TestCase {

	/**
	 * Writes the class Foo_Qux, which has the methods.
	 *
	 * @param   string  $methods  Python
	 * @return  void
	 */
	protected function write_python($methods)
	{
		$this->write_class('application', 'Foo/Qux.py', "import logging\nimport threading\n\nimport kohana\nimport php\n\n\nclass Foo_Qux:\n".$methods);
	}

	public function test_configuration()
	{
		$this->write('application/config/shop.php', '<?php return array("currency" => "EUR", "vat" => array("AT" => 20));');
		$this->write_python(<<<'PYTHON'
			    def read(self):
			        return [
			            kohana.config("shop.currency"),
			            kohana.config("shop.vat.AT"),
			            kohana.config("shop.nothing", "default"),
			            kohana.config("shop"),
			        ]
			PYTHON);

		$this->assertSame('["EUR",20,"default",{"currency":"EUR","vat":{"AT":20}}]', $this->run_script('echo json_encode((new Foo_Qux)->read());'));
	}

	public function test_translations()
	{
		$this->write('application/i18n/de.php', '<?php return array("hello :name" => "hallo :name");');
		$this->write_python(<<<'PYTHON'
			    def greet(self, language=None):
			        return kohana.translate("hello :name", {":name": 7}, language)
			PYTHON);

		$this->assertSame('hello 7 hallo 7 hallo 7', $this->run_script('
			$o = new Foo_Qux;
			echo $o->greet(), " ", $o->greet("de"), " ";
			I18n::lang("de");
			echo $o->greet();
		'));
	}

	public function test_the_log()
	{
		$this->write_python(<<<'PYTHON'
			    def write(self):
			        kohana.log("warning", "no :what", {":what": "tea"})
			        kohana.log(2, "critical")
			        logging.getLogger("shop").info("sold %d", 3)
			        logging.getLogger("shop").debug("not of interest")
			        try:
			            1 / 0
			        except ZeroDivisionError:
			            logging.exception("it failed")

			    def write_in_thread(self):
			        thread = threading.Thread(target=logging.error, args=("of a thread",))
			        thread.start()
			        thread.join()

			    def refuse(self):
			        kohana.log("loud", "x")
			PYTHON);

		$this->assertSame("there is no level 'loud' of Kohana's log; there are emergency, alert, critical, error, warning, notice, info, debug", $this->run_script('
			$o = new Foo_Qux;
			$o->write();
			$o->write_in_thread();
			try { $o->refuse(); } catch (Tortoise\Python\ValueError $e) { echo $e->getMessage(); }
		'));

		$log = $this->log();
		$this->assertStringContainsString('WARNING: no tea', $log);
		$this->assertStringContainsString('CRITICAL: critical', $log);
		$this->assertMatchesRegularExpression('~INFO: shop: sold 3 \~ APPPATH/classes/foo/qux\.py \[ 12 \]~i', $log);
		$this->assertStringNotContainsString('not of interest', $log);
		$this->assertStringContainsString('ERROR: root: it failed', $log);
		$this->assertStringContainsString('ZeroDivisionError: division by zero', $log);
		$this->assertStringContainsString('ERROR: root: of a thread', $log);
	}

	public function test_the_log_can_be_turned_off()
	{
		$this->write('application/config/tortoise.php', '<?php return array("default" => array("logging" => FALSE));');
		$this->write_python("    def write(self):\n        logging.getLogger('shop').error('not heard')\n");

		$this->run_script('(new Foo_Qux)->write();');

		$this->assertStringNotContainsString('not heard', $this->log());
	}

	public function provider_cache()
	{
		return array(array(array()), array(array('cache')));
	}

	/**
	 * @dataProvider provider_cache
	 */
	public function test_the_cache(array $modules)
	{
		if ($modules AND ! is_dir(MODPATH.'cache/classes'))
			$this->markTestSkipped('This Kohana has no cache module.');

		$this->write('application/config/cache.php', '<?php return array("file" => array("driver" => "file", "cache_dir" => APPPATH."cache", "default_expire" => 3600, "ignore_on_delete" => array()));');
		$this->write_python(<<<'PYTHON'
			    def use(self):
			        before = kohana.cache.get("prices", "none")
			        kohana.cache.set("prices", {"tea": 3}, 60)
			        kept = kohana.cache.get("prices")
			        kohana.cache.delete("prices")
			        return [before, kept, kohana.cache.get("prices")]

			    def use_group(self):
			        return kohana.cache("file").get("nothing", 7)
			PYTHON);

		$set = $modules ? 'Cache::$default = "file";' : '';
		$this->assertSame('["none",{"tea":3},null]', $this->run_script($set.'echo json_encode((new Foo_Qux)->use());', $modules));

		if ($modules)
		{
			$this->assertSame('7', $this->run_script('echo (new Foo_Qux)->use_group();', $modules));
		}
		else
		{
			$this->assertStringContainsString('cache module', $this->run_script('
				try { (new Foo_Qux)->use_group(); } catch (Tortoise_Exception $e) { echo $e->getMessage(); }
			'));
		}
	}

	public function test_the_request()
	{
		if ( ! class_exists('Controller'))
			$this->markTestSkipped('This Kohana has no controllers.');

		$this->write_python(<<<'PYTHON'
			    def describe(self):
			        request = kohana.request()
			        return "none" if request is None else f"{request.controller()} {request.param('id')}"
			PYTHON);
		$this->write_class('application', 'Controller/Hello.php', '<?php class Controller_Hello extends Controller {
			public function action_index() { $this->response->body((new Foo_Qux)->describe()); } }');

		$this->assertSame('none hello 7', strtolower($this->run_script('
			echo (new Foo_Qux)->describe(), " ", Request::factory("hello/index/7")->execute()->body();
		')));
	}

	public function test_http_exceptions()
	{
		if ( ! class_exists('HTTP_Exception'))
			$this->markTestSkipped('This Kohana has no HTTP exceptions.');

		$this->write_python(<<<'PYTHON'
			    def missing(self, id):
			        self.check(id)

			    def check(self, id):
			        raise kohana.HTTPException(404, "no book :id", {":id": id})

			    def caught(self):
			        try:
			            self.missing(3)
			        except kohana.HTTPException as error:
			            return f"{error.status} {error} {error.class_name}"

			    def caught_as_php(self):
			        try:
			            self.missing(3)
			        except php.exception_class("HTTP_Exception") as error:
			            return error.code

			    def unknown(self):
			        raise kohana.HTTPException(999)
			PYTHON);

		$this->assertSame('HTTP_Exception_404 404 no book 7 13 Foo_Qux->check:10 Foo_Qux->missing:script.php | 404 no book 3 HTTP_Exception_404 | 404 | Kohana has no exception for the HTTP status 999', $this->run_script('
			$o = new Foo_Qux;
			try
			{
				$o->missing(7);
			}
			catch (HTTP_Exception_404 $e)
			{
				echo get_class($e), " ", $e->getCode(), " ", $e->getMessage(), " ", $e->getLine();
				foreach (array_slice($e->getTrace(), 0, 2) as $i => $step)
				{
					echo " ", $step["class"], $step["type"], $step["function"], ":", $i ? basename($step["file"]) : $step["line"];
				}
			}
			echo " | ", $o->caught(), " | ", $o->caught_as_php(), " | ";
			try { $o->unknown(); } catch (Tortoise\Python\ValueError $e) { echo $e->getMessage(); }
		'));
	}

	public function test_the_page_of_an_http_exception()
	{
		if ( ! class_exists('Controller') OR $this->is_lower())
			$this->markTestSkipped('This Kohana makes no page of an HTTP exception.');

		$this->write_class('application', 'Controller/Books.py', <<<'PYTHON'
			import kohana
			from php import Controller


			class Controller_Books(Controller):
			    def action_show(self):
			        raise kohana.HTTPException(404, "no book :id", {":id": self.request.param("id")})
			PYTHON);

		$page = $this->run_script('$response = Request::factory("books/show/7")->execute(); echo $response->status(), $response->body();');

		$this->assertStringStartsWith('404', $page);
		$this->assertStringContainsString('no book 7', $page);
		$this->assertMatchesRegularExpression('~<span class="line highlight"><span class="number">\s*7</span>\s+raise kohana\.HTTPException~', $page);
		$this->assertMatchesRegularExpression('~Controller_Books-(&gt;|>)action_show\(~', $page);
	}

	public function test_exceptions_that_the_settings_map()
	{
		if ( ! class_exists('HTTP_Exception'))
			$this->markTestSkipped('This Kohana has no HTTP exceptions.');

		$this->write('application/config/tortoise.php', '<?php return array("default" => array("exceptions" => array("LookupError" => 404)));');
		$this->write_class('application', 'Foo/Books.py', <<<'PYTHON'
			import kohana


			@kohana.maps_exceptions
			class Foo_Books:
			    def action_show(self, number=3):
			        return {"a": 1}[number]

			    def action_fail(self):
			        raise ValueError("not mapped")

			    def action_own(self):
			        raise kohana.HTTPException(404, "its own")

			    def other(self):
			        return {}["x"]
			PYTHON);

		$this->assertSame("HTTP_Exception_404 'x' | Tortoise\\Python\\ValueError not mapped | HTTP_Exception_404 its own | Tortoise\\Python\\KeyError 'x' | 1 | 3", $this->run_script('
			$o = new Foo_Books;
			foreach (array(function () use ($o) { $o->action_show("x"); }, array($o, "action_fail"), array($o, "action_own"), array($o, "other")) as $call)
			{
				try { $call(); } catch (Exception $e) { echo get_class($e), " ", $e->getMessage(), " | "; }
			}
			echo $o->action_show("a"), " | ", (new ReflectionMethod($o, "action_show"))->getParameters()[0]->getDefaultValue();
		'));
	}

	public function test_validation_exceptions()
	{
		if ( ! class_exists('Validation_Exception'))
			$this->markTestSkipped('This Kohana has no validation.');

		$this->write('application/messages/book.php', '<?php return array("isbn" => array("is_valid" => ":value is no ISBN"));');
		$this->write_python(<<<'PYTHON'
			    def check(self, data):
			        raise kohana.ValidationException({"isbn": "is_valid", "title": ("max_length", [3])}, data=data)

			    def check_other(self, validation):
			        validation.error("isbn", "is_valid")
			        raise kohana.ValidationException(validation)

			    def caught(self):
			        try:
			            self.check({"isbn": "1", "title": "abcd"})
			        except kohana.ValidationException as error:
			            return list(error.validation.errors())
			PYTHON);

		$this->assertSame('{"isbn":"1 is no ISBN","title":"title must not exceed 3 characters long"} {"isbn":"2 is no ISBN"} ["isbn","title"]', $this->run_script('
			$o = new Foo_Qux;
			try { $o->check(array("isbn" => "1", "title" => "abcd")); }
			catch (Validation_Exception $e) { echo json_encode($e->array->errors("book")), " "; }
			$validation = Validation::factory(array("isbn" => "2"))->label("isbn", "ISBN");
			try { $o->check_other($validation); }
			catch (Validation_Exception $e) { echo json_encode($e->array->errors("book")), $e->array === $validation ? " " : "!"; }
			echo json_encode($o->caught());
		'));
	}

}
